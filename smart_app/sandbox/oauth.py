"""The authorization server's addresses."""

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from .authorize import authorization_response
from .capability import openid_configuration
from .hospital import the_hospital
from .records import users
from .standalone import asks_for_patient, candidates, completed
from .words import language_of, words

oauth = Blueprint("oauth", __name__)


@oauth.route("/oauth2/authorize", methods=["GET", "POST"])
def authorize() -> BaseResponse:
    """A redirect back to the application; a page that says why where redirecting is not allowed; in a standalone launch
    first the page that asks for whom."""
    if asks_for_patient(request.values):
        hospital, language = the_hospital(), language_of(request)
        page = render_template(
            "hospital/choose.html",
            w=words(language),
            language=language,
            asked=request.values.to_dict(),
            users=users(hospital),
            people=candidates(hospital),
        )
        return Response(page, headers={"Cache-Control": "no-store"})
    reply: Response = authorization_response(current_app.extensions["authorization_server"])
    if reply.location is None:
        problem = reply.get_json()
        page = render_template(
            "hospital/refused.html", error=problem["error"], text=problem.get("error_description", "")
        )
        return Response(page, 400)
    reply.headers["Cache-Control"] = "no-store"
    return reply


@oauth.post("/oauth2/chosen")
def chosen() -> BaseResponse:
    return redirect(f"{url_for('oauth.authorize')}?{completed(the_hospital(), request.form.to_dict())}", 303)


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
    hospital = the_hospital()
    return jsonify(hospital.keys.public(named=hospital.config.manners.key_ids))


@oauth.get("/.well-known/openid-configuration")
def openid() -> Response:
    return jsonify(openid_configuration(the_hospital().config))


@oauth.before_request
def _one_body() -> None:
    """Token requests are small forms."""
    request.max_content_length = 64 * 1024
