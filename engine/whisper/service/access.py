"""The token that the engine asks for, on a disk where only its user reads it."""

import getpass
import os
import secrets
import subprocess

from pydantic import SecretStr

from engine.settings import Settings

_BYTES = 32


def token_of(settings: Settings) -> SecretStr | None:
    """The token of the settings, or the one that an engine made; None where none ever started."""
    if settings.engine_token:
        return settings.engine_token
    try:
        return SecretStr(settings.engine_token_file.read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return None


def made_token(settings: Settings) -> SecretStr:
    """The token, made if there is none yet."""
    known = token_of(settings)
    if known is not None and known.get_secret_value():
        return known
    token = secrets.token_urlsafe(_BYTES)
    target = settings.engine_token_file
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".~{secrets.token_hex(4)}")
    try:
        number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(token + "\n")
        if os.name == "nt":  # windows only: the mode means nothing there
            domain = os.environ.get("USERDOMAIN", "")
            user = f"{domain}\\{getpass.getuser()}" if domain else getpass.getuser()
            rights = ["/inheritance:r", "/grant:r", f"{user}:F"]
            subprocess.run(["icacls", str(draft), *rights], check=True, capture_output=True)  # noqa: S603, S607
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return SecretStr(token)
