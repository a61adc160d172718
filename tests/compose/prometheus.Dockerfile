# Stands in for the image of the same name where no registry is reached: Debian's Prometheus, with
# the entry point, the paths and the port that docker-compose.yml relies on.
FROM python:3.11-slim
RUN apt-get update -qq \
 && apt-get install -qq -y --no-install-recommends prometheus wget >/dev/null \
 && rm -rf /var/lib/apt/lists/* /etc/prometheus \
 && install -d -o nobody -g nogroup /prometheus /etc/prometheus
USER nobody
WORKDIR /prometheus
VOLUME /prometheus
EXPOSE 9090
ENTRYPOINT ["/bin/prometheus"]
CMD ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"]
