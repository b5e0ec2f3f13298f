"""IMR on FHIR: a SMART app for the Illness Management and Recovery programme."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

from flask import Flask
from flask_compress import Compress
from werkzeug.middleware.proxy_fix import ProxyFix

from smart_app import (
    alone,
    code_page,
    earlier,
    filing,
    form,
    goals,
    handover,
    health,
    launch,
    launch_code,
    own,
    panel,
    patient,
    today,
    together,
)
from smart_app.access import init_access
from smart_app.config import AppConfig
from smart_app.error_pages import init_error_pages
from smart_app.failed_log_ins import FailedLogIns
from smart_app.headers import init_headers
from smart_app.hospital import Hospital
from smart_app.language import init_language
from smart_app.logs import init_access_log
from smart_app.pages import init_pages
from smart_app.places import init_places
from smart_app.seal import Seal
from smart_app.state import State, init_state, utc_now
from smart_app.store import Store

_ACTIVITIES = (
    health.health,
    launch.launch,
    launch_code.launch_code,
    panel.panel,
    form.form,
    handover.handover,
    code_page.code,
    patient.patient,
    alone.alone,
    earlier.earlier,
    own.own,
    together.together,
    today.today,
    goals.goals,
    filing.filing,
)


class _App(Flask):
    def log_exception(self, exc_info: object) -> None:
        """Flask's sentence has the whole address in it; what is unexpected `error_pages` logs, under a reference."""


def create_app(config: AppConfig, *, store: Store, clock: Callable[[], datetime] = utc_now) -> Flask:
    """The app on an open store; raises what stands in the way of its keys and the sites' keys."""
    app = _App(__name__)
    app.config.update(
        TRUSTED_HOSTS=[urlsplit(config.public_url).hostname, *config.trusted_hosts],
        MAX_CONTENT_LENGTH=256_000,
        MAX_FORM_PARTS=1_000,  # a review of forty steps has over 200
        COMPRESS_ALGORITHM=["gzip"],
        COMPRESS_ALGORITHM_STREAMING=["gzip"],
        COMPRESS_LEVEL=4,  # 6 needs twice the time, 0.7 ms a panel, for 4 % less
    )
    hops = config.proxy_hops
    if hops:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    seal = Seal(store.cipher)
    hospitals = {name: Hospital(site, config) for name, site in config.sites.items()}
    init_state(app, State(config, store, clock, seal, hospitals, FailedLogIns(store.audit)))
    Compress(app)
    for init in (init_access_log, init_headers, init_language, init_pages, init_places, init_access, init_error_pages):
        init(app)
    for blueprint in _ACTIVITIES:
        app.register_blueprint(blueprint)
    return app
