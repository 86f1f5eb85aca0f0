# case: app=pyext
FROM python:3.11-slim
RUN apt-get update && apt-get install -y gcc libc6-dev python3-dev
COPY . /src/
RUN pip install /src
RUN apt-get purge -y gcc libc6-dev python3-dev && apt-get autoremove -y && rm -rf /src /var/lib/apt/lists/* /root/.cache
CMD ["greet"]
