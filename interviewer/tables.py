"""All database tables, for code that needs every one of them: migrations, backups, and tests."""

from __future__ import annotations

from interviewer.accounts import tables as accounts
from interviewer.billing import tables as billing
from interviewer.core import mail_tables as mail
from interviewer.core import users
from interviewer.core.columns import metadata
from interviewer.credits import tables as ledger
from interviewer.interviews import tables as interviews
from interviewer.reports import tables as reports

__all__ = ["metadata"]
# Importing these modules registers their tables in the metadata.
_MODULES = (users, mail, accounts, ledger, billing, interviews, reports)
