"""Signing in and out, registering, the first owner's link, invitations."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy import text

from augment_correction.workspace import accounts, audit, cookies, new_passwords, organisations, passwords
from augment_correction.workspace.accounts import SignInAttempt
from augment_correction.workspace.audit import Actor
from augment_correction.workspace.entering import Entered
from augment_correction.workspace.here import Here
from augment_correction.workspace.problems import Forbidden, Invalid, Problem
from augment_correction.workspace.tables import User

router = APIRouter()


@router.get("/healthz")
def healthy(here: Entered) -> Response:
    with here.site.database.read() as session:
        session.execute(text("SELECT 1"))
    return PlainTextResponse("ok\n")


@router.get("/")
def front(here: Entered) -> Response:
    if not here.signed_in:
        return here.go("/login")
    with here.site.database.as_system() as session:
        mine = organisations.memberships_of(session, here.user.id)
    return here.go(f"/o/{mine[0][0].slug}") if len(mine) == 1 else here.go("/organisations")


# -------------------------------------------------------------------------------------------------- signing in


@router.get("/login")
def login_page(here: Entered) -> Response:
    return _login_page(here, local_path(here.query("then")))


def _login_page(here: Here, then: str, problem: Problem | None = None, email: str = "") -> Response:
    return here.page(
        "login.html", status=problem.status if problem else 200, then=then, problem=problem, email=email,
        code_wanted=problem is not None and problem.field == "code",
    )  # fmt: skip


@router.post("/login")
def login(here: Entered) -> Response:
    attempt = SignInAttempt(
        here.text("email", most=254), here.form.get("password", "")[:1000], here.text("code", most=20), here.address
    )
    then = local_path(here.text("then", most=500))
    try:
        user = authenticated(here, attempt)
    except Problem as problem:
        return _login_page(here, then, problem, attempt.email)
    return enter_as(here, user, then or "/", strong=user.totp is not None)


def authenticated(here: Here, attempt: SignInAttempt, *, by_password: bool = True) -> User:
    """By password and code; by the code alone where an identity provider has said who it is. The slow hash is computed while no
    transaction is open.

    Raises: TooMany, Invalid."""
    database = here.site.database
    with database.as_system() as session:
        accounts.refuse_guessing(session, attempt)
        user = accounts.known(session, attempt)
    right = not by_password or passwords.matches(user.password if user else "", attempt.password)
    if user is not None and right and user.totp and not attempt.code:
        raise Invalid(accounts.CODE, field="code")
    with database.as_system(writes=True) as session:
        user = accounts.known(session, attempt) if right else None
        if user is None:
            accounts.note_failure(session, attempt)
            session.commit()
            raise Invalid(accounts.WRONG)
        accounts.require_code(session, user, attempt, here.site.cipher)
        return user


def enter_as(here: Here, user: User, then: str, *, strong: bool = False) -> Response:
    """A new session; `strong` where a second factor was shown."""
    agent = here.request.headers.get("user-agent", "")
    with here.site.database.as_system(writes=True) as session:
        if here.login is not None:
            accounts.end_sessions(session, here.user.id, only=here.login.id)
        token = accounts.begin_session(session, here.site.settings, user, here.address, agent, strong=strong)
        audit.note(session, Actor(user.id, here.address), "login", user.id)
    settings = here.site.settings
    response = here.go(then)
    response.headers.append(
        "set-cookie", cookies.spelled(settings, settings.session_cookie, token, settings.session_hours * 3600)
    )
    return response


@router.post("/logout")
def logout(here: Entered) -> Response:
    assert here.login is not None
    with here.site.database.as_system(writes=True) as session:
        accounts.end_sessions(session, here.user.id, only=here.login.id)
        audit.note(session, here.actor, "logout", here.user.id)
    settings = here.site.settings
    response = here.go("/login", said="signed_out")
    response.headers.append("set-cookie", cookies.spelled(settings, settings.session_cookie, "", 0))
    return response


def local_path(path: str) -> str:
    """Only to our own pages: a link to another site is no place to go after signing in."""
    fine = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if fine else ""


# ------------------------------------------------------------------------------------------------ registering


@router.get("/register")
def register_page(here: Entered) -> Response:
    _require_open(here)
    return here.page(
        "register.html", action="/register", heading="Create an account", problem=None, values={}, fixed_email=""
    )


@router.post("/register")
def register(here: Entered) -> Response:
    """Who asks which addresses have an account is slowed down like who guesses passwords."""
    _require_open(here)
    attempt = SignInAttempt(here.text("email", most=254), "", "", here.address)
    with here.site.database.read() as session:
        accounts.refuse_registering(session, here.address)
        accounts.refuse_guessing(session, attempt)
    response = _registered(here, "/register", "Create an account")
    if response.status_code != 303:
        with here.site.database.as_system(writes=True) as session:
            if accounts.known(session, attempt):
                accounts.note_failure(session, attempt)
    return response


@router.get("/setup/{token}")
def setup_page(here: Entered, token: str) -> Response:
    with here.site.database.as_system() as session:
        accounts.use_setup_link(session, token, up=False)
    return here.page(
        "register.html",
        action=f"/setup/{token}",
        heading="Set up your workspace",
        problem=None,
        values={},
        fixed_email="",
    )


@router.post("/setup/{token}")
def setup(here: Entered, token: str) -> Response:
    return _registered(here, f"/setup/{token}", "Set up your workspace", token)


def _registered(here: Here, action: str, heading: str, setup_token: str = "") -> Response:
    try:
        with here.site.database.as_system(writes=True) as session:
            if setup_token:
                accounts.use_setup_link(session, setup_token)
            user = accounts.add_user(session, here.text("email"), here.text("name"), here.form.get("password", ""))
            actor = Actor(user.id, here.address)
            audit.note(session, actor, "account.made", user.id)
            organisation = organisations.found(session, actor, user, here.text("organisation"))
    except Invalid as problem:
        return here.page(
            "register.html", status=problem.status, action=action, heading=heading, problem=problem, values=here.form,
            fixed_email="",
        )  # fmt: skip
    return enter_as(here, user, f"/o/{organisation.slug}")


def _require_open(here: Here) -> None:
    if here.site.settings.registration != "open":
        raise Forbidden("Accounts are created by invitation here. Ask a member of your organisation for a link.")


# ---------------------------------------------------------------------------------------------- a new password


@router.get("/password/{token}")
def new_password_page(here: Entered, token: str) -> Response:
    with here.site.database.as_system() as session:
        user = new_passwords.account_of(session, here.site.settings, token)
    return here.page("password.html", problem=None, email=user.email)


@router.post("/password/{token}")
def set_new_password(here: Entered, token: str) -> Response:
    """Signing in is the next step, with the code of who has a second factor."""
    settings, database, given = here.site.settings, here.site.database, here.form.get("password", "")
    with database.as_system() as session:
        user = new_passwords.account_of(session, settings, token)
    try:
        passwords.check(given, email=user.email, name=user.name)
    except Invalid as problem:
        return here.page("password.html", status=problem.status, problem=problem, email=user.email)
    made = passwords.hashed(given)
    with database.as_system(writes=True) as session:
        new_passwords.use(session, settings, token, made, here.address)
    return here.go("/login", said="password_set")


# ------------------------------------------------------------------------------------------------- invitations


@router.get("/invite/{token}")
def invite_page(here: Entered, token: str) -> Response:
    with here.site.database.as_system() as session:
        invite, organisation = organisations.invite_of(session, token)
        known = accounts.known(session, SignInAttempt(invite.email, "", "", here.address)) is not None
    return here.page("invite.html", invite=invite, organisation=organisation, known=known, problem=None, values={})


@router.post("/invite/{token}")
def accept_invite(here: Entered, token: str) -> Response:
    database = here.site.database
    if here.signed_in:
        with database.as_system(writes=True) as session:
            organisation = organisations.accept(session, here.actor, here.user, token)
        return here.go(f"/o/{organisation.slug}", said="joined")
    with database.as_system() as session:
        invite, organisation = organisations.invite_of(session, token)
    try:
        with database.as_system(writes=True) as session:
            user = accounts.add_user(session, invite.email, here.text("name"), here.form.get("password", ""))
            actor = Actor(user.id, here.address)
            audit.note(session, actor, "account.made", user.id)
            organisations.accept(session, actor, user, token)
    except Invalid as problem:
        return here.page(
            "invite.html", status=problem.status, invite=invite, organisation=organisation, known=False, problem=problem,
            values=here.form,
        )  # fmt: skip
    return enter_as(here, user, f"/o/{organisation.slug}")
