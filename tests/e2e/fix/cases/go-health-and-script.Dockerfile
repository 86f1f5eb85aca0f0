# case: app=go
FROM golang:1.22

ENV APP_HOME /srv/app
WORKDIR $APP_HOME
COPY . $APP_HOME
RUN go build -o bin/server .
RUN printf '#!/bin/bash\nset -euo pipefail\nif [ "$1" = server ]; then exec /srv/app/bin/server; fi\nexec "$@"\n' > /docker-entrypoint.sh && chmod 755 /docker-entrypoint.sh

EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=2s CMD curl -f http://localhost:${PORT:-8080}/ || exit 1
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["server"]
