# case: app=ruby
FROM debian:bookworm
RUN apt-get update && apt-get install -y --no-install-recommends ruby ruby-webrick ruby-dev gcc
COPY server.rb /srv/
CMD ["ruby", "/srv/server.rb"]
