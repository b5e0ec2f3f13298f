"""Everything that can go wrong, as one tree; each message names what, which value, and the next step.

ImrError
├── ArtefactError          a packaged or loaded artefact is not what it must be
├── ValidatorError         HL7's validator could not be run
├── TranslationError       a table of translations that can't be taken, or a language that is none
├── LoadError              a server that artefacts can't be loaded into, or a record of it that is none
├── RatingError            a rating that the instrument does not have
├── ResourceError          a FHIR resource that can't be read as ours; it is shown, never counted
│   ├── ResponseError      ... a QuestionnaireResponse
│   ├── GoalError          ... a Goal or one of its steps
│   ├── NoteError          ... one of the small Observations
│   └── WrongPatient       it belongs to another patient than the launch's
├── ViewError              a ViewDefinition that can't be run here: never guessed at
├── TablesError            tables that can't be made of the files given
├── EhrError               the hospital's side
│   ├── RefusedUrl         an address that we do not call (host, scheme, path)
│   ├── NotConnected       nothing was sent: safe to send again
│   │   └── NotTrusted     its certificate is of no authority that we trust
│   ├── LostReply          something was sent, no whole reply came: read back first
│   ├── BadReply           a reply that is not what the protocol says (HTML, too big, redirect)
│   │   ├── NotJson        JSON that we do not read (too deep, a name twice, NaN, 19 digits)
│   │   └── OtherResource  of another id than asked for: of a Patient, perhaps the one that is used instead
│   └── HttpFailure        a reply with a failure status
│       ├── Unauthorized   401
│       ├── Forbidden      403, 405
│       ├── NotFound       404, 410
│       ├── Conflict       409, 412
│       ├── Invalid        400, 422 and other 4xx
│       ├── Busy           429, 503 with Retry-After
│       └── ServerFault    other 5xx
├── ExportError            an export that can't go on as it is: its folder, its key, its disk
├── ReportError            a folder that no report can be made of
│   └── ExportLost         the server has it no more, or gave it up: it must begin anew
└── LaunchError            SMART launch and log-in
    ├── UnknownIssuer      an iss that is not configured
    ├── StateError         state missing, tampered with, too old or already used
    ├── AuthorizationError the authorization server said no
    └── IdentityError      an id_token that does not verify
"""


class ImrError(Exception):
    """Base of all; ``next_step`` is a sentence for the person who meets it."""

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(f"{message} {next_step}".strip())
        self.message = message
        self.next_step = next_step


class ArtefactError(ImrError):
    pass


class ValidatorError(ImrError):
    pass


class TranslationError(ImrError):
    pass


class LoadError(ImrError):
    pass


class RatingError(ImrError):
    pass


class ResourceError(ImrError):
    pass


class ResponseError(ResourceError):
    pass


class GoalError(ResourceError):
    pass


class NoteError(ResourceError):
    pass


class WrongPatient(ResourceError):
    pass


class ViewError(ImrError):
    pass


class TablesError(ImrError):
    pass


class EhrError(ImrError):
    pass


class RefusedUrl(EhrError):
    pass


class NotConnected(EhrError):
    pass


class NotTrusted(NotConnected):
    pass


class LostReply(EhrError):
    pass


class BadReply(EhrError):
    pass


class NotJson(BadReply):
    pass


class OtherResource(BadReply):
    pass


class HttpFailure(EhrError):
    """``status`` is the HTTP status, ``retry_after`` seconds where the server said so."""

    def __init__(self, message: str, *, status: int, next_step: str = "", retry_after: int | None = None) -> None:
        super().__init__(message, next_step=next_step)
        self.status = status
        self.retry_after = retry_after


class Unauthorized(HttpFailure):
    pass


class Forbidden(HttpFailure):
    pass


class NotFound(HttpFailure):
    pass


class Conflict(HttpFailure):
    pass


class Invalid(HttpFailure):
    pass


class Busy(HttpFailure):
    pass


class ServerFault(HttpFailure):
    pass


class ExportError(ImrError):
    pass


class ExportLost(ExportError):
    pass


class ReportError(ImrError):
    pass


class LaunchError(ImrError):
    pass


class UnknownIssuer(LaunchError):
    pass


class StateError(LaunchError):
    pass


class AuthorizationError(LaunchError):
    """``error`` is OAuth's own word (RFC 6749, 4.1.2.1 and 5.2), e.g. ``invalid_grant``; "" where it gave none."""

    def __init__(self, message: str, *, next_step: str = "", error: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.error = error


class IdentityError(LaunchError):
    pass
