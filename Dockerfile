# The site as an image. The pages are built in, for one address: links to them carry it in their previews.
#
#   docker build --build-arg FRONTEND_URL=https://interviewer.example/ --tag interviewer .

# Stage 1: build the pages, with Node.js from PyPI, and an environment that holds what a server needs and no more.
FROM python:3.11-slim-bookworm AS build

WORKDIR /app
ENV UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

COPY pyproject.toml README.md requirements.lock requirements-server.lock ./
COPY tools tools
# The project is installed in place, so its code can follow: a change of it does not install everything again.
RUN mkdir interviewer && touch interviewer/__init__.py && python tools/install.py

COPY rxconfig.py alembic.ini ./
COPY interviewer interviewer
COPY alembic alembic
COPY assets assets
COPY deploy/healthcheck.py deploy/
COPY reflex.lock reflex.lock

# `run` starts these pages only with the same ENV and FRONTEND_URL; without Node.js it could build no others.
ARG FRONTEND_URL
RUN test -n "$FRONTEND_URL" || { echo "Tell the address of the site: --build-arg FRONTEND_URL=https://interviewer.example/"; exit 1; }
RUN ENV=production FRONTEND_URL="$FRONTEND_URL" DATA_DIR=/tmp/build .venv/bin/interviewer run --build-only \
    || { tail -n 50 /tmp/build/frontend-build.log; exit 1; }

# The embedded database and what only building needs are extras, which this lock file leaves out.
RUN python -m venv --without-pip /opt/venv \
    && .venv/bin/uv pip sync --python /opt/venv/bin/python --quiet --require-hashes --no-build requirements-server.lock \
    && .venv/bin/python -c 'from hatchling.build import build_editable; build_editable("/tmp/project")' \
    && .venv/bin/uv pip install --python /opt/venv/bin/python --quiet --offline --no-deps /tmp/project/*.whl \
    && mv .web web && mkdir -p .web/build && mv web/build/client .web/build/ && mv web/backend web/interviewer.stamp .web/ \
    && rm -r web .venv tools && python -m compileall -q interviewer alembic rxconfig.py

# Stage 2: Python, the locked packages, the code and the built pages; no Node.js, no npm, no pip, no compiler.
FROM python:3.11-slim-bookworm

LABEL org.opencontainers.image.title="Interviewer" \
      org.opencontainers.image.description="Practice backend interviews: six topics, a rubric before every answer, an explained verdict after it."

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
