# case: app=go
from golang:1.22-alpine
run apk --version && mkdir /srv/app
workdir /srv/app
copy . .
run CGO_ENABLED=0 go build -o hello
cmd ./hello
