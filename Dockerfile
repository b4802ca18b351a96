# The app for one machine: docker build -t dlreg . && docker run -p 127.0.0.1:8501:8501 -v dlreg:/data dlreg
FROM python:3.11-slim
RUN useradd --create-home dlreg && mkdir /data && chown dlreg /data && pip install --no-cache-dir uv
WORKDIR /app
COPY --chown=dlreg . .
RUN chown dlreg /app
USER dlreg
RUN uv sync --no-dev --no-cache
ENV DLREG_HOME=/data
EXPOSE 8501
# There is no sign-in yet: publish the port to this machine only. By another port or name it answers where that is listed:
# docker run -p 127.0.0.1:9000:8501 -e DLREG_HOSTS=localhost:9000 ...
CMD ["uv", "run", "--no-dev", "--no-sync", "dlreg", "serve", "--host", "0.0.0.0"]
