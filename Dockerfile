# Natter's program in a small image. Build the program first, on Debian 12 or a system no newer than it:
#   make build
#   docker build -t natter .
# As it is, it serves from an SQLite database in /var/lib/natter, which belongs on a volume:
#   docker run -d --name natter -p 127.0.0.1:3000:3000 -v natter:/var/lib/natter natter
FROM debian:bookworm-slim
RUN apt-get update \
  && apt-get install -y --no-install-recommends ca-certificates curl \
  && rm -rf /var/lib/apt/lists/* \
  && useradd --system --uid 900 --user-group --home-dir /var/lib/natter --shell /usr/sbin/nologin natter \
  && install -d -o natter -g natter -m 0700 /var/lib/natter
COPY --chmod=0755 target/release/natter /usr/local/bin/natter
USER natter
WORKDIR /var/lib/natter
ENV NATTER_LISTEN=0.0.0.0:3000 NATTER_DATA_DIR=/var/lib/natter
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s \
  CMD ["curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1:3000/readyz"]
ENTRYPOINT ["natter"]
CMD ["serve"]
