"""The settings as far as they can be used, and everything in them that cannot."""

from typing import Any

from pydantic import SecretStr, ValidationError

from deployments.checks import Check, fail, ok
from engine.settings import Settings

_FOLDERS = ("library_dir", "state_dir")
_SAVE = (
    "Save .env as UTF-8; in PowerShell: "
    "(Get-Content .env) | Set-Content -Encoding utf8 .env. Until then it is left out."
)


def as_far_as_usable() -> tuple[Settings, list[Check]]:
    """Settings in which what is wrong has its default, and a line for each that is.

    Raises:
        ValidationError: a default cannot be used either.
    """
    instead: dict[str, Any] = {}
    wrong: list[Check] = []
    while True:
        try:
            settings = Settings(**instead)
        except UnicodeDecodeError:
            wrong.append(fail("settings file", ".env is no UTF-8 text", _SAVE))
            instead["_env_file"] = None
        except OSError as error:
            said = f".env cannot be read: {error.strerror}"
            wrong.append(fail("settings file", said, "Give your user the right to read .env."))
            if "_env_file" in instead:
                raise
            instead["_env_file"] = None
        except ValidationError as error:
            found = {_name(one, instead): one for one in error.errors(include_url=False)}
            if found.keys() & instead.keys():
                raise
            for name, one in found.items():
                wrong.append(_line(name, one))
                instead[name] = _default(name)
        else:
            return settings, wrong or [ok("settings", "all can be used")]


def _name(error: Any, instead: dict[str, Any]) -> str:
    if error["loc"]:
        said = str(error["loc"][0]).lower()
        fields = Settings.model_fields.items()
        return next((name for name, _ in fields if said in (name, *_aliases(name))), said)
    said = str(error["msg"])
    return next(
        (name for name in _FOLDERS if f"{name.upper()}: " in said),
        next((name for name in _FOLDERS if name not in instead), _FOLDERS[-1]),
    )


def _aliases(name: str) -> list[str]:
    alias = Settings.model_fields[name].validation_alias
    choices = getattr(alias, "choices", [])
    return [str(choice).lower() for choice in choices]


def _line(name: str, error: Any) -> Check:
    said = str(error["msg"]).removeprefix("Value error, ")
    value = "" if _is_secret(name) or not error["loc"] else f"{error['input']!r}: "
    fix = f"Mend or remove {name.upper()} in the environment or in .env; .env.example explains it."
    return fail(f"setting {name.upper()}", f"{value}{said}", fix)


def _is_secret(name: str) -> bool:
    return SecretStr.__name__ in str(Settings.model_fields[name].annotation)


def _default(name: str) -> Any:
    return Settings.model_fields[name].get_default(call_default_factory=True)
