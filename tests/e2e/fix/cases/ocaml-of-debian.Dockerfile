# case: app=ocaml
FROM debian:bookworm
RUN apt-get update && apt-get install -y ocaml-nox ocaml-findlib
WORKDIR /srv/hello
COPY . .
RUN ocamlfind ocamlopt -package unix -linkpkg main.ml -o hello
EXPOSE 18321
CMD ["./hello"]
