# case: app=bundle to=ruby:3.1-slim
FROM ruby:3.1
RUN apt-get update && apt-get install -y --no-install-recommends libsqlite3-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY gems gems
RUN mkdir -p vendor/cache && for gem in greet checker; do \
      (cd gems/$gem && gem build --output /app/vendor/cache/$gem-1.0.0.gem $gem.gemspec); \
    done
COPY Gemfile ./
RUN bundle install --local
COPY server.rb ./
CMD ["bundle", "exec", "ruby", "server.rb"]
