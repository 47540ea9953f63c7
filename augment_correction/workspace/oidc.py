"""Signing in through an identity provider: OpenID Connect's authorization code flow with PKCE (RFC 7636).

A ticket in a cookie of this browser is all that is kept between the two halves: state, nonce and verifier are made of it and of our own
secret, so that nobody else's answer fits."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

import aiohttp
import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet

from augment_correction.workspace import tokens
from augment_correction.workspace.accounts import small
from augment_correction.workspace.problems import Forbidden, Problem
from augment_correction.workspace.settings import LOOPBACK, Provider, Settings

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures with a key pair; what is signed with a shared secret, or not at all, is refused."""
KINDS = ("RSA", "EC", "OKP")
PATIENCE, LONGEST, LEEWAY = 10, 2**20, 60
KNOWN_FOR = 3600.0
"""Seconds until the provider's addresses and keys are read anew."""
AWAY_FOR = 10.0
"""Seconds for which a provider that could not be reached is not asked again: each try may hold a thread for as long."""
METHODS = ("client_secret_basic", "client_secret_post")
"""How we can show our secret, the standard's own way first (RFC 6749, 2.3.1)."""
LONGEST_SUBJECT = 255
"""OpenID Connect Core 2; cut, two people could become one."""
FACTORS = (
    {"pwd", "pin", "kba"},
    {"otp", "hwk", "swk", "sc", "sms", "tel", "pop"},
    {"fpt", "face", "iris", "retina", "vbm"},
)
"""What somebody knows, has and is (RFC 8176): two of one kind are one factor."""


class ProviderAway(Problem):
    status = 502


@dataclass(frozen=True)
class IdentityClaims:
    """What the provider says of somebody; `strong` where it has seen a second factor (RFC 8176)."""

    issuer: str
    subject: str
    email: str
    verified: bool
    name: str
    strong: bool


class OpenIdConnect:
    """Of one provider. Its methods wait for it: they are called by routes, which run in threads."""

    def __init__(self, provider: Provider, settings: Settings) -> None:
        self._provider, self._secret = provider, settings.secret
        self._redirect = f"{settings.origin}/oidc/callback"
        self._asking = threading.Lock()
        self._known: dict[str, Any] = {}
        self._read = self._failed = 0.0
        self._away: str | None = None

    def address(self, ticket: str) -> str:
        """Where the browser goes.

        Raises: ProviderAway."""
        challenge = hashlib.sha256(self._of(ticket, "verifier").encode()).digest()
        asked = {
            "response_type": "code", "client_id": self._provider.client, "redirect_uri": self._redirect,
            "scope": "openid email profile", "state": self._of(ticket, "state"), "nonce": self._of(ticket, "nonce"),
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(), "code_challenge_method": "S256",
        }  # fmt: skip
        place = self._metadata()["authorization_endpoint"]
        return f"{place}{'&' if urlsplit(place).query else '?'}{urlencode(asked)}"

    def told(self, ticket: str, answer: Mapping[str, str]) -> IdentityClaims:
        """Who it is, of the query with which the browser comes back.

        Raises: Forbidden, ProviderAway."""
        if not ticket or not tokens.same(answer.get("state", ""), self._of(ticket, "state")):
            raise Forbidden("This sign-in was not begun in this browser, or too long ago. Begin it again.")
        if answer.get("iss", self._provider.issuer) != self._provider.issuer:
            raise Forbidden("This answer comes from another identity provider.")
        if "code" not in answer:
            why = answer.get("error_description") or answer.get("error") or "nothing"
            raise Forbidden(f"{self._provider.name} did not sign you in: {why[:200]}")
        given = self._exchanged(answer["code"], self._of(ticket, "verifier"))
        return self._checked(str(given.get("id_token", "")), self._of(ticket, "nonce"))

    def _of(self, ticket: str, purpose: str) -> str:
        return tokens.signed(self._secret, f"oidc {purpose}", ticket)

    def _exchanged(self, code: str, verifier: str) -> dict[str, Any]:
        known, provider = self._metadata(), self._provider
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect, "code_verifier": verifier,
            "client_id": provider.client,
        }  # fmt: skip
        if not provider.secret:
            return self._fetched(known["token_endpoint"], form)
        given = known.get("token_endpoint_auth_methods_supported") or METHODS[:1]
        method = next((each for each in METHODS if each in given), None)
        if method is None:
            raise ProviderAway(
                f"{provider.name} takes our secret by none of {', '.join(METHODS)}: it names {', '.join(map(str, given))[:200]}."
            )
        if method == "client_secret_post":
            return self._fetched(known["token_endpoint"], {**form, "client_secret": provider.secret})
        pair = f"{quote_plus(provider.client)}:{quote_plus(provider.secret)}".encode()
        return self._fetched(known["token_endpoint"], form, f"Basic {base64.b64encode(pair).decode()}")

    def _checked(self, token: str, nonce: str) -> IdentityClaims:
        """Signature, issuer, audience, time and nonce (OpenID Connect Core 3.1.3.7)."""
        try:
            claims = self._claims(token)
            rules = jwt.JWTClaimsRegistry(
                leeway=LEEWAY,
                iss={"essential": True, "value": self._provider.issuer},
                aud={"essential": True, "value": self._provider.client},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": nonce},
            )
            rules.validate(claims)
        except (JoseError, ValueError) as failure:
            raise Forbidden(f"What {self._provider.name} says of you cannot be trusted: {failure}"[:300]) from None
        if claims.get("azp", self._provider.client) != self._provider.client:
            raise Forbidden("This answer was made for another program.")
        if len(str(claims["sub"])) > LONGEST_SUBJECT:
            raise Forbidden(f"{self._provider.name} names you by more than {LONGEST_SUBJECT} characters.")
        methods = {str(each) for each in claims["amr"]} if isinstance(claims.get("amr"), list) else set()
        return IdentityClaims(
            self._provider.issuer, str(claims["sub"]), small(str(claims.get("email") or "")),
            _vouched(claims), str(claims.get("name") or ""),
            "mfa" in methods or sum(bool(methods & kind) for kind in FACTORS) > 1,
        )  # fmt: skip

    def _claims(self, token: str) -> dict[str, Any]:
        """With keys that are read again once where none fits: a provider changes them.

        Raises: JoseError, ValueError, ProviderAway."""
        known = self._metadata()
        try:
            return dict(jwt.decode(token, known["keys"], algorithms=ALGORITHMS).claims)
        except (JoseError, ValueError):
            keys = self._metadata(but=known)["keys"]
            return dict(jwt.decode(token, keys, algorithms=ALGORITHMS).claims)

    def _metadata(self, *, but: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What the provider says of itself, and under `keys` the keys; read anew where it is old or the one of `but`. One thread asks,
        and the others wait for what it hears.

        Raises: ProviderAway."""
        with self._asking:
            now = time.monotonic()
            if self._known and self._known is not but and now - self._read < KNOWN_FOR:
                return self._known
            if self._away is not None and now - self._failed < AWAY_FOR:
                raise ProviderAway(self._away)
            try:
                self._known, self._read, self._away = self._discovered(), time.monotonic(), None
            except ProviderAway as failure:
                self._failed, self._away = time.monotonic(), failure.message
                raise
            return self._known

    def _discovered(self) -> dict[str, Any]:
        issuer = self._provider.issuer
        found = self._fetched(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise ProviderAway(f"{issuer} says of itself that it is {str(found.get('issuer'))[:200]} (LL_OIDC_ISSUER).")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            place = urlsplit(str(found.get(name, "")))
            if place.scheme != "https" and place.hostname not in LOOPBACK:
                raise ProviderAway(f"{issuer} names no https:// address for {name}.")
        return {**found, "keys": self._keys(self._fetched(found["jwks_uri"]))}

    def _keys(self, told: Mapping[str, Any]) -> KeySet:
        """Those that verify signatures and that we can read: a set may have others beside them (RFC 7517, 5)."""
        given, keys = told.get("keys"), []
        for each in given if isinstance(given, list) else []:
            if isinstance(each, dict) and each.get("use", "sig") == "sig" and each.get("kty") in KINDS:
                with suppress(JoseError, ValueError, TypeError, KeyError):
                    keys.append(JWKRegistry.import_key(each))
        if not keys:
            raise ProviderAway(
                f"{self._provider.name} names no key (jwks_uri) with which its signatures could be checked."
            )
        return KeySet(keys)

    def _fetched(self, address: str, form: Mapping[str, str] | None = None, shown: str = "") -> dict[str, Any]:
        """Raises: ProviderAway."""
        try:
            status, body = asyncio.run(_ask(address, form, shown))
            found = orjson.loads(body)
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as failure:
            raise ProviderAway(f"{self._provider.name} cannot be reached: {failure}"[:300]) from None
        if status != 200 or not isinstance(found, dict):
            said = found.get("error", "") if isinstance(found, dict) else ""
            raise ProviderAway(f"{self._provider.name} answered {status} {said}"[:300])
        return found


def _vouched(claims: Mapping[str, Any]) -> bool:
    """Whether the provider has verified the address. Entra never says `email_verified`, but `xms_edov`, where it is asked to: the owner
    of the address's domain is verified. A "no" is a no."""
    return claims.get("email_verified", claims.get("xms_edov")) in (True, "true", "1")


async def _ask(address: str, form: Mapping[str, str] | None, shown: str) -> tuple[int, bytes]:
    """Without following anybody elsewhere: what is sent holds a secret."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE)
    headers = {"Authorization": shown} if shown else {}
    async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
        method = "POST" if form else "GET"
        async with session.request(method, address, data=form, allow_redirects=False) as answer:
            return answer.status, await answer.content.read(LONGEST)
