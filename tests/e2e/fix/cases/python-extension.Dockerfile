# case: app=pyext
FROM python:3.11
RUN apt-get update && apt-get install -y python3-dev
WORKDIR /src
COPY . .
RUN pip install .
WORKDIR /
CMD ["greet"]
