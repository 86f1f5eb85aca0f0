# A program of one's own, whose base is there again without what came later.
FROM offcut-lines/alpine
RUN mkdir -p /opt/first/.git/objects /opt/first/.git/refs && cd /opt/first/.git && echo 'ref: refs/heads/main' > HEAD && echo '[core]' > config && echo x > objects/x && echo x > refs/x
COPY copied/git /opt/copied/.git
RUN cp /bin/busybox /usr/local/bin/server
CMD ["server", "httpd", "-f"]
