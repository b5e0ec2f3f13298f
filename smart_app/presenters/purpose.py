"""What the questions are for and where help is, with the name of whoever helps, or without one."""

from __future__ import annotations

from smart_app.language import Words


def purpose(words: Words, who: str, organization: str) -> str:
    """``who`` is "" where nobody can be named."""
    return words.say("form.purpose", who=who) if who else words.say("form.purpose.alone", org=organization)


def help_now(words: Words, who: str, phone: str) -> str:
    return words.say("form.help", who=who, phone=phone) if who else words.say("form.help.alone", phone=phone)
