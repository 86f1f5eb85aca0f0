# case: app=perl outcome=refused reason="Perl came with the base image"
FROM buildpack-deps:bookworm
COPY server.pl /usr/local/bin/server
RUN chmod +x /usr/local/bin/server
CMD ["server"]
