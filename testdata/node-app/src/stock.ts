export interface Article {
  id: string;
  name: string;
  cents: number;
}

const articles: readonly Article[] = [
  { id: "plane", name: "Block plane", cents: 6450 },
  { id: "chisel", name: "Paring chisel", cents: 3890 },
  { id: "saw", name: "Dovetail saw", cents: 8200 },
];

export function all(): readonly Article[] {
  return articles;
}

export function find(id: string): Article | undefined {
  return articles.find((article) => article.id === id);
}
