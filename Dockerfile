# syntax=docker/dockerfile:1
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
# The lock holds the extra `postgres` too.
COPY requirements.lock ./
RUN python -m venv /opt/haulwatch \
 && /opt/haulwatch/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY pages pages
COPY pipeline pipeline
COPY queries queries
COPY .streamlit .streamlit

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 10001 haulwatch \
 && install -d -o haulwatch -g haulwatch /var/lib/haulwatch
COPY --from=build /opt/haulwatch /opt/haulwatch
COPY --from=build /build /srv/haulwatch
WORKDIR /srv/haulwatch
USER haulwatch
ENV PATH=/opt/haulwatch/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/srv/haulwatch \
    HAULWATCH_HOME=/var/lib/haulwatch \
    HAULWATCH_HOST=0.0.0.0
VOLUME /var/lib/haulwatch
EXPOSE 8501
# Stop it with patience (docker stop -t 60): a worker finishes its step. One that is killed loses
# nothing; what it held is read once more.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "app.cli"]
CMD ["serve"]
