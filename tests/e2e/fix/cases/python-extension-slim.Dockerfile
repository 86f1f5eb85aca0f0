# case: app=pyext
FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev python3-dev
COPY . /src/
RUN pip install --no-cache-dir /src && rm -rf /src
ENTRYPOINT ["python3", "-c", "import greet; greet.main()"]
