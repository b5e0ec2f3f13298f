"""The hospital as a Flask app."""

from flask import Flask
from jinja2 import StrictUndefined

from .chart import chart
from .config import HospitalConfig
from .fhir_api import fhir
from .hospital import open_hospital
from .oauth import oauth
from .seed import load
from .token import HospitalAuthorizationServer


def create_hospital(config: HospitalConfig) -> Flask:
    """Opens ``config.database``, loads the packaged records that it does not have yet, and serves FHIR, OAuth and the
    chart under ``config.base_url``. The parts are in ``app.extensions["hospital"]`` (``hospital_of(app)``)."""
    app = Flask(__name__, static_folder="static", static_url_path="/hospital-static", template_folder="templates")
    app.jinja_env.undefined = StrictUndefined
    app.url_map.strict_slashes = False
    hospital = open_hospital(config)
    load(hospital)
    app.extensions["hospital"] = hospital
    app.extensions["authorization_server"] = HospitalAuthorizationServer(
        app, hospital, token_url=f"{config.issuer}/oauth2/token"
    )
    for blueprint in (fhir, oauth, chart):
        app.register_blueprint(blueprint)
    return app
