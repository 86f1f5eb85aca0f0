let answer = "HTTP/1.0 200 OK\r\n\r\nhello from ocaml\n"

let () =
  let port = int_of_string (Sys.getenv "PORT") in
  let server = Unix.socket Unix.PF_INET Unix.SOCK_STREAM 0 in
  Unix.setsockopt server Unix.SO_REUSEADDR true;
  Unix.bind server (Unix.ADDR_INET (Unix.inet_addr_any, port));
  Unix.listen server 5;
  while true do
    let client, _ = Unix.accept server in
    ignore (Unix.read client (Bytes.create 4096) 0 4096);
    ignore (Unix.write_substring client answer 0 (String.length answer));
    Unix.close client
  done
