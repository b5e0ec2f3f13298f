"""The authorization server's addresses."""

from flask import Blueprint, Response, current_app, jsonify, render_template, request

from .authorize import authorization_response
from .capability import openid_configuration
from .hospital import the_hospital

oauth = Blueprint("oauth", __name__)


@oauth.route("/oauth2/authorize", methods=["GET", "POST"])
def authorize() -> Response:
    """A redirect back to the application; a page that says why where redirecting is not allowed."""
    reply: Response = authorization_response(current_app.extensions["authorization_server"])
    if reply.location is None:
        problem = reply.get_json()
        page = render_template(
            "hospital/refused.html", error=problem["error"], text=problem.get("error_description", "")
        )
        return Response(page, 400)
    reply.headers["Cache-Control"] = "no-store"
    return reply


@oauth.post("/oauth2/token")
def token() -> Response:
    reply: Response = current_app.extensions["authorization_server"].create_token_response()
    return reply


@oauth.post("/oauth2/revoke")
def revoke() -> Response:
    reply: Response = current_app.extensions["authorization_server"].create_endpoint_response("revocation")
    return reply


@oauth.get("/oauth2/jwks")
def jwks() -> Response:
    return jsonify(the_hospital().keys.public())


@oauth.get("/.well-known/openid-configuration")
def openid() -> Response:
    return jsonify(openid_configuration(the_hospital().config))


@oauth.before_request
def _one_body() -> None:
    """Token requests are small forms."""
    request.max_content_length = 64 * 1024
