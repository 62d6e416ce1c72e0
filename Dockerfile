# The page on any server, with or without a GPU:
#
#   docker build -t pointprompt .
#   docker run --gpus all -p 7860:7860 -v pointprompt-weights:/weights pointprompt
#
# On a computer without a GPU, leave `--gpus all` out.
FROM python:3.12.12-slim-bookworm

RUN useradd --create-home visitor && install --directory --owner visitor /weights
WORKDIR /home/visitor/pointprompt

COPY requirements.txt .
RUN pip install --no-cache-dir -r requirements.txt
COPY app.py .
COPY pointprompt pointprompt

# Weights from the Hugging Face Hub are kept when the container is not.
ENV HF_HOME=/weights
VOLUME /weights

ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860
EXPOSE 7860
HEALTHCHECK --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860', timeout=10)"]

USER visitor
# The page ends on it by itself, as process 1 too, and leaves nothing of its visitors behind.
STOPSIGNAL SIGTERM
CMD ["python", "app.py"]
