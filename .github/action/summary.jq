# The job's summary, out of the JSON report: a line for each finding, the worst first, at most 100.
#
# GitHub refuses the summary of a step altogether when it has more than 1 MiB. Every text is cut at 200 letters, and a
# letter takes 6 bytes at most, so a row of four texts has less than 5 kB: a hundred rows and the head stay below.

# Text that Markdown and HTML show as it is: every letter with a meaning is written as its number, and what can not be seen
# or turns the direction of the text is a blank.
def shown:
  .[0:200] as $cut
  | (if ($cut | length) < length then $cut + "…" else $cut end)
  | explode
  | map(
      if . < 32 or (. >= 127 and . < 160) or (. >= 8203 and . <= 8207) or (. >= 8232 and . <= 8238)
        or (. >= 8288 and . <= 8303) or . == 65279
      then " "
      elif (. >= 48 and . <= 57) or (. >= 65 and . <= 90) or (. >= 97 and . <= 122) or . == 32 or . >= 160
      then [.] | implode
      else "&#\(.);"
      end)
  | add // "";

def size:
  if . >= 1e9 then "\(. / 1e7 | round / 100) GB"
  elif . >= 1e6 then "\(. / 1e4 | round / 100) MB"
  elif . >= 1e3 then "\(. / 10 | round / 100) kB"
  else "\(.) B" end;

def place:
  if .line != null then "\(.line.file):\(.line.first)"
  elif .layer != null then "layer \(.layer.number)"
  else "" end;

[.findings[] | select(.allowed == null and .part_of == null)] as $findings
| ($findings | length) as $all
| [.diagnostics[] | select(.unread)] as $unread
| "### offcut: \(.image.reference | shown)",
  "",
  "\($verdict | shown); \($all) \(if $all == 1 then "finding" else "findings" end) in \(.totals.bytes | size)",
  (if ($unread | length) > 0 then "", "Not read: \($unread | length)" else empty end),
  (if $all > 0 then
    "",
    "| severity | rule | finding | where | bytes |",
    "|---|---|---|---|---:|",
    ($findings[0:100][] |
      "| \(.severity | shown) | \(.rule | shown) | \(.title | shown) | \(place | shown) | \(.bytes | size) |"),
    (if $all > 100 then "", "\($all - 100) more are in the report." else empty end)
  else empty end),
  ""
