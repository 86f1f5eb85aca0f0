//! Areas that are as large as what they stand for: a squarified treemap of two levels, as SVG.
//!
//! Knows names, weights and classes of style; nothing of findings. The layout is the one of Bruls, Huizing and van Wijk,
//! "Squarified Treemaps": rows are filled along the shorter side as long as that makes their areas more square.

use std::fmt::Write;

use super::escape;
use crate::report::text;

/// A group of cells that belong together.
pub(super) struct Group {
    /// What it is called.
    pub(super) name: String,
    /// Its cells, the largest first.
    pub(super) cells: Vec<Cell>,
}

/// One area.
pub(super) struct Cell {
    /// What stands in it, where there is room.
    pub(super) name: String,
    /// What is said of it in full.
    pub(super) title: String,
    /// Its weight in bytes; more than 0.
    pub(super) bytes: u64,
    /// Class of style.
    pub(super) class: &'static str,
    /// Whether it is hatched.
    pub(super) hatched: bool,
    /// Anchor of the page that it leads to.
    pub(super) target: Option<String>,
}

/// Room above the cells of a group, for its name.
const HEADER: f64 = 18.0;
/// Between groups.
const GAP: f64 = 3.0;
/// Width of a character, a little more than the fonts have.
const CHAR: f64 = 6.9;
/// Height of a line.
const LINE: f64 = 15.0;

/// Draws the groups, the heaviest first, into an area of this many units. `id` has to be the page's only one.
pub(super) fn draw(groups: &[Group], id: &str, width: f64, height: f64) -> String {
    let mut svg = format!(
        "<svg class=\"map {id}\" viewBox=\"0 0 {width} {height}\" aria-hidden=\"true\">\n<defs><pattern id=\"hatch-{id}\" \
         width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect width=\"2\" \
         height=\"7\" class=\"hatch\"/></pattern></defs>\n"
    );
    let weights: Vec<u64> = groups.iter().map(Group::bytes).collect();
    for (group, area) in groups.iter().zip(squarify(&weights, Area { x: 0.0, y: 0.0, width, height })) {
        draw_group(group, area.shrunk(GAP / 2.0), id, &mut svg);
    }
    svg.push_str("</svg>\n");
    svg
}

impl Group {
    fn bytes(&self) -> u64 {
        self.cells.iter().fold(0, |sum, cell| sum.saturating_add(cell.bytes))
    }
}

fn draw_group(group: &Group, area: Area, id: &str, svg: &mut String) {
    let mut inner = area;
    if area.height > 3.0 * HEADER && area.width > 60.0 {
        let size = text::bytes(group.bytes());
        let room = columns(area.width - 4.0);
        // The size goes before the name is cut to nothing.
        let label = if text::width(&group.name) + 2 + size.len() <= room {
            format!("{} \u{b7} {size}", group.name)
        } else {
            group.name.clone()
        };
        line(svg, "group", area.x + 1.0, area.y + 13.0, &escape::clipped(&label, room));
        inner = Area { y: area.y + HEADER, height: area.height - HEADER, ..area };
    }
    let weights: Vec<u64> = group.cells.iter().map(|cell| cell.bytes).collect();
    for (cell, area) in group.cells.iter().zip(squarify(&weights, inner)) {
        draw_cell(cell, area.shrunk(0.5), id, svg);
    }
}

fn draw_cell(cell: &Cell, area: Area, id: &str, svg: &mut String) {
    let Area { x, y, width, height } = area;
    let target = cell.target.as_deref().unwrap_or_default();
    let (open, close) = match &cell.target {
        Some(_) => (format!("<a href=\"#{target}\" tabindex=\"-1\">"), "</a>"),
        None => ("<g>".to_string(), "</g>"),
    };
    let size = format!("x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"");
    // Writing into a string never fails.
    let _ = write!(svg, "{open}<title>{}</title><rect class=\"{}\" {size}/>", escape::short(&cell.title), cell.class);
    if cell.hatched {
        let _ = write!(svg, "<rect fill=\"url(#hatch-{id})\" {size}/>");
    }
    let room = columns(width - 8.0);
    if room >= 5 && height >= LINE + 4.0 {
        line(svg, "name", x + 5.0, y + LINE, &escape::clipped(&cell.name, room));
        let bytes = text::bytes(cell.bytes);
        if bytes.len() <= room && height >= 2.0 * LINE + 5.0 {
            line(svg, "size", x + 5.0, y + 2.0 * LINE, &bytes);
        }
    }
    svg.push_str(close);
    svg.push('\n');
}

fn line(svg: &mut String, class: &str, x: f64, y: f64, escaped: &str) {
    let _ = write!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{escaped}</text>");
}

/// How many columns fit.
fn columns(width: f64) -> usize {
    (width.max(0.0) / CHAR) as usize
}

/// A rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Area {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Area {
    fn shrunk(self, by: f64) -> Self {
        let by_x = by.min(self.width / 4.0);
        let by_y = by.min(self.height / 4.0);
        Self { x: self.x + by_x, y: self.y + by_y, width: self.width - 2.0 * by_x, height: self.height - 2.0 * by_y }
    }
}

/// Divides an area by weights, which come the largest first; one part for each weight, in the same order.
fn squarify(weights: &[u64], area: Area) -> Vec<Area> {
    let total: f64 = weights.iter().map(|&weight| weight as f64).sum();
    let scale = if total > 0.0 { area.width * area.height / total } else { 0.0 };
    let sizes: Vec<f64> = weights.iter().map(|&weight| weight as f64 * scale).collect();
    let (mut out, mut left) = (Vec::with_capacity(sizes.len()), area);
    let mut rest = sizes.as_slice();
    while !rest.is_empty() {
        let side = left.width.min(left.height);
        let mut count = 1;
        while count < rest.len() && worst(&rest[..=count], side) <= worst(&rest[..count], side) {
            count += 1;
        }
        let (row, after) = rest.split_at(count);
        left = fill(row, left, &mut out);
        rest = after;
    }
    out
}

/// How far the worst area of a row along a side is from a square; 1 is one.
fn worst(row: &[f64], side: f64) -> f64 {
    let sum: f64 = row.iter().sum();
    let (largest, smallest) = row.iter().fold((0.0_f64, f64::MAX), |(max, min), &size| (max.max(size), min.min(size)));
    if sum <= 0.0 || side <= 0.0 || smallest <= 0.0 {
        return f64::MAX;
    }
    (side * side * largest / (sum * sum)).max(sum * sum / (side * side * smallest))
}

/// Lays a row along the shorter side, and says what is left.
fn fill(row: &[f64], left: Area, out: &mut Vec<Area>) -> Area {
    let sum: f64 = row.iter().sum();
    let (long, short) = (left.width.max(left.height), left.width.min(left.height));
    let thick = if short > 0.0 { (sum / short).min(long) } else { 0.0 };
    let mut at = 0.0;
    for size in row {
        let along = if sum > 0.0 { short * size / sum } else { 0.0 };
        out.push(if left.width >= left.height {
            Area { x: left.x, y: left.y + at, width: thick, height: along }
        } else {
            Area { x: left.x + at, y: left.y, width: along, height: thick }
        });
        at += along;
    }
    if left.width >= left.height {
        Area { x: left.x + thick, width: left.width - thick, ..left }
    } else {
        Area { y: left.y + thick, height: left.height - thick, ..left }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Area = Area { x: 10.0, y: 20.0, width: 600.0, height: 400.0 };

    fn overlap(a: &Area, b: &Area) -> bool {
        let near = 1e-6;
        a.x + a.width > b.x + near
            && b.x + b.width > a.x + near
            && a.y + a.height > b.y + near
            && b.y + b.height > a.y + near
    }

    #[test]
    fn areas_are_as_large_as_their_weights_and_share_nothing() {
        for weights in [vec![1], vec![6, 6, 4, 3, 2, 2, 1], (1..=200).rev().collect(), vec![u64::MAX, 1_000, 1, 1]] {
            let areas = squarify(&weights, WHOLE);
            let total: f64 = weights.iter().map(|&weight| weight as f64).sum();
            assert_eq!(areas.len(), weights.len());
            for (area, &weight) in areas.iter().zip(&weights) {
                let want = weight as f64 / total * WHOLE.width * WHOLE.height;
                assert!((area.width * area.height - want).abs() <= want.mul_add(1e-6, 1e-3), "{area:?} for {weight}");
                assert!(area.x >= WHOLE.x - 1e-6 && area.x + area.width <= WHOLE.x + WHOLE.width + 1e-6, "{area:?}");
                assert!(area.y >= WHOLE.y - 1e-6 && area.y + area.height <= WHOLE.y + WHOLE.height + 1e-6, "{area:?}");
            }
            for (at, a) in areas.iter().enumerate() {
                assert!(areas.iter().skip(at + 1).all(|b| !overlap(a, b)), "{a:?}");
            }
        }
    }

    #[test]
    fn areas_are_near_to_squares() {
        // The example of the paper: 6x4, and no area is worse than 3 to 1; slices would give up to 24 to 1.
        for area in squarify(&[6, 6, 4, 3, 2, 2, 1], Area { x: 0.0, y: 0.0, width: 6.0, height: 4.0 }) {
            let ratio = (area.width / area.height).max(area.height / area.width);
            assert!(ratio < 3.0, "{area:?}");
        }
    }

    #[test]
    fn no_weights_and_no_room_are_no_fault() {
        assert!(squarify(&[], WHOLE).is_empty());
        for area in squarify(&[3, 0, 0], Area { width: 0.0, ..WHOLE }) {
            assert!(area.width.is_finite() && area.height.is_finite());
        }
    }

    #[test]
    fn names_that_do_not_fit_are_cut_or_left_out() {
        let cell = |name: &str, bytes| Cell {
            name: name.into(),
            title: format!("{name} <whole>"),
            bytes,
            class: "high",
            hatched: bytes == 1,
            target: Some("f-1".into()),
        };
        let cells = vec![cell("a very long name that has no room", 1_000_000), cell("tiny", 1)];
        let svg = draw(&[Group { name: "Build tools".into(), cells }], "wide", 200.0, 100.0);
        assert!(svg.contains(">a very long name t"), "{svg}");
        assert!(svg.contains("...</text>"), "{svg}");
        assert!(svg.contains("<title>tiny &lt;whole&gt;</title>") && !svg.contains(">tiny<"), "{svg}");
        assert_eq!(svg.matches("url(#hatch-wide)").count(), 1);
    }
}
