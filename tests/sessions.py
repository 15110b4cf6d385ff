"""A browser with a whole session, for tests of pages."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from apps.identity.models import Session


def enter(person, face="console", key="console_sid") -> Client:
    """A browser that carries a whole session, without the sign-in pages.

    What those pages do is identity's to prove; here it would cost three codes
    a minute.
    """
    now = timezone.now()
    row = Session.objects.create(
        user=person.user,
        face=face,
        stage="full",
        address="127.0.0.1",
        started_at=now,
        seen_at=now,
        idle_until_at=now + timedelta(hours=1),
        expires_at=now + timedelta(hours=8),
        mfa_at=now,
    )
    browser = Client()
    session = browser.session
    session[key] = row.pk
    session.save()
    browser.cookies["sessionid"] = str(session.session_key)
    return browser
