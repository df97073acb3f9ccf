"""The pages for sign-up, email confirmation, sign-in, and password reset."""

from __future__ import annotations

import reflex as rx

from interviewer.accounts.lifetimes import RESET_LIFETIME, VERIFICATION_LIFETIME
from interviewer.components.forms import LINK, PRIMARY, NativeForm, alert, field, form, github_button, or_line, submit
from interviewer.components.icons import icon
from interviewer.components.layout import narrow_page
from interviewer.credits.rules import FIRST_FREE
from interviewer.state.account import LoginState, ResetPasswordState, ResetRequestState, SignupState, VerifyState
from interviewer.state.session import SessionState
from interviewer.wording import duration


def signup() -> rx.Component:
    """Return the sign-up page."""
    return narrow_page(
        "Create an account",
        rx.cond(
            SignupState.sent,
            _check_mail(),
            form(
                _lead(f"{FIRST_FREE} No credit card needed."),
                field(
                    "Email",
                    "email",
                    error=SignupState.email_error,
                    hint="We'll send you an email to confirm it.",
                    type="email",
                    auto_complete="email",
                    required=True,
                    max_length=320,
                ),
                field(
                    "Name",
                    "username",
                    error=SignupState.username_error,
                    hint="We'll use it on your dashboard and in emails.",
                    auto_complete="name",
                    required=True,
                    max_length=50,
                ),
                _password_to_choose("Password", SignupState.password_error),
                alert(SignupState.error),
                submit("Create account", busy=SignupState.busy, busy_text="Creating account…", class_name="mt-3 w-full"),
                on_submit=SignupState.submit,
                no_validate=True,
            ),
        ),
        _ways(_way("Already have an account?", "Sign in", "/login")),
        rx.cond(SignupState.github & ~SignupState.sent, _github("/dashboard")),
        here="/signup",
    )


def _lead(text: str) -> rx.Component:
    """Return the line below the title that explains the form."""
    return rx.el.p(text, class_name="-mt-3 mb-6 text-muted")


def _ways(*ways: rx.Component) -> rx.Component:
    """Return the list of links below a form."""
    return rx.el.ul(*ways, class_name="mt-6 flex flex-wrap justify-between gap-x-6 border-t border-line pt-3 text-muted")


def _way(question: str, label: str, href: str) -> rx.Component:
    return rx.el.li(
        question,
        " " if question else "",
        rx.el.a(label, href=href, class_name=LINK),
        class_name="flex min-h-11 items-center gap-1.5",
    )


def _mailed(*content: rx.Component | rx.Var[str] | str) -> rx.Component:
    """Return the confirmation that an email is on its way."""
    return rx.el.div(
        rx.el.span(
            icon("mail", size=28, class_name="text-accent"),
            class_name="inline-flex h-14 w-14 items-center justify-center rounded-full border border-line bg-paper",
        ),
        rx.el.p(*content, class_name="mt-4 break-words text-lg"),
    )


def _password_to_choose(
    label: str, error: rx.Var[str], name: str = "password", *, auto_focus: rx.Var[bool] | bool = False
) -> rx.Component:
    return field(
        label,
        name,
        error=error,
        hint="At least 8 characters. Three or four unrelated words work well.",
        type="password",
        auto_complete="new-password",
        required=True,
        max_length=256,
        auto_focus=auto_focus,
    )


def _check_mail() -> rx.Component:
    return rx.el.div(
        _mailed(
            "We've sent an email to ",
            rx.el.strong(SignupState.email),
            ". Open the link in it, then enter your password again to create your account.",
        ),
        rx.el.p(
            f"The link expires in {duration(VERIFICATION_LIFETIME)}. Didn't get it? Check your spam folder, or sign up again.",
            class_name="mt-3 text-muted",
        ),
        rx.cond(SignupState.shows_outbox, _outbox_hint()),
        role="status",
    )


def _outbox_hint() -> rx.Component:
    return rx.el.p(
        "Email isn't set up on this site, so you'll find the message in the ",
        rx.el.a("development outbox", href="/outbox", class_name=LINK),
        " and in the terminal.",
        class_name="mt-4 rounded-md bg-code px-4 py-3",
    )


def login() -> rx.Component:
    """Return the sign-in page. The browser posts its form natively, so that the response can set the session cookie."""
    return narrow_page(
        "Sign in",
        NativeForm.create(
            rx.el.div(alert(LoginState.error), class_name="mb-4 empty:hidden"),
            field(
                "Email",
                "email",
                type="email",
                auto_complete="username",
                required=True,
                default_value=LoginState.email,
                key=LoginState.email,
            ),
            field("Password", "password", type="password", auto_complete="current-password", required=True, max_length=256),
            rx.el.input(type="hidden", name="next", value=LoginState.next_path, read_only=True),
            submit("Sign in", busy_text="Signing in…", class_name="mt-2 w-full"),
            action="/session/login",
            method="post",
        ),
        _ways(_way("", "Forgot your password?", "/reset-request"), _way("New here?", "Create an account", "/signup")),
        rx.cond(LoginState.github, _github(LoginState.next_path)),
        here="/login",
    )


def _github(next_path: rx.Var[str] | str) -> rx.Component:
    return rx.fragment(or_line(), github_button("Continue with GitHub", f"/api/auth/github/start?next={next_path}"))


def verify_email() -> rx.Component:
    """Return the page behind the link in a confirmation email.

    The link is used up only when the user submits the password chosen at sign-up, or a new one.
    """
    return narrow_page(
        rx.cond(VerifyState.error != "", "This link no longer works", "Create your account"),
        rx.cond(
            VerifyState.loaded,
            rx.cond(VerifyState.error != "", _dead_link(), _confirm()),
            rx.el.div(class_name="skeleton h-72", role="status", aria_label="Loading"),
        ),
    )


def _confirm() -> rx.Component:
    """Return two forms that create the account: with the password chosen at sign-up, or with a new one.

    Opening the second form hides the first.
    """
    return rx.el.div(
        rx.el.p(
            "You're creating an account for ",
            rx.el.strong(VerifyState.username),
            ".",
            class_name="break-words text-lg",
        ),
        rx.el.p(VerifyState.email, class_name="mt-1 break-words text-muted"),
        rx.el.div(
            _confirmation(
                field(
                    "Password",
                    "password",
                    error=VerifyState.password_error,
                    hint="The one you chose when you signed up.",
                    type="password",
                    auto_complete="current-password",
                    required=True,
                    max_length=256,
                    auto_focus=VerifyState.password_error != "",
                ),
            ),
            class_name="mt-6 group-has-[details[open]]:hidden",
        ),
        rx.el.details(
            rx.el.summary(
                rx.el.span("Choose a new password instead", class_name="group-open/new:hidden"),
                rx.el.span("Use the password I signed up with", class_name="hidden group-open/new:inline"),
                class_name=f"inline-flex min-h-11 cursor-pointer list-none items-center {LINK}",
            ),
            _confirmation(
                _password_to_choose(
                    "New password",
                    VerifyState.new_password_error,
                    "new_password",
                    auto_focus=VerifyState.new_password_error != "",
                ),
                after="Not your name? You can change it on your account page.",
                class_name="mt-2",
            ),
            open=VerifyState.new_password_error != "",
            class_name="group/new mt-3 open:mt-2",
        ),
        rx.el.p(
            "Didn't sign up? Close this page, and no account will be created.",
            class_name="mt-4 border-t border-line pt-4 text-muted",
        ),
        class_name="group",
    )


def _confirmation(password: rx.Component, after: str = "", class_name: str = "") -> rx.Component:
    """Return a form that creates the account. Its hidden email field is for password managers."""
    return NativeForm.create(
        rx.el.input(
            type="email", name="email", value=VerifyState.email, auto_complete="username", read_only=True, class_name="hidden"
        ),
        password,
        rx.el.input(type="hidden", name="token", value=VerifyState.token, read_only=True),
        submit("Create my account", busy_text="Creating account…", class_name="mt-3 w-full"),
        rx.el.p(after, class_name="mt-3 text-sm text-muted") if after else rx.fragment(),
        action="/session/verify",
        method="post",
        class_name=class_name,
    )


def _dead_link() -> rx.Component:
    return rx.el.div(
        alert(VerifyState.error),
        rx.cond(
            SessionState.username != "",
            rx.el.a("Go to your dashboard", href="/dashboard", class_name=f"{PRIMARY} mt-5"),
            rx.el.div(
                rx.el.a("Sign up again", href="/signup", class_name=PRIMARY),
                rx.el.a("Sign in", href="/login", class_name=f"{LINK} self-center"),
                class_name="mt-5 flex flex-wrap gap-5",
            ),
        ),
    )


def reset_request() -> rx.Component:
    """Return the page that requests a password reset link."""
    return narrow_page(
        "Forgot your password?",
        rx.cond(
            ResetRequestState.sent,
            rx.el.div(
                _mailed("If there's an account for ", rx.el.strong(ResetRequestState.email), ", we've emailed you a link."),
                rx.el.p(
                    f"The link expires in {duration(RESET_LIFETIME)}. Didn't get it? Check your spam folder.",
                    class_name="mt-3 text-muted",
                ),
                rx.cond(ResetRequestState.shows_outbox, _outbox_hint()),
                role="status",
            ),
            form(
                _lead("We'll email you a link to choose a new one."),
                field(
                    "Email",
                    "email",
                    error=ResetRequestState.email_error,
                    hint="The address you signed up with.",
                    type="email",
                    auto_complete="username",
                    required=True,
                    max_length=320,
                ),
                submit("Email me a link", busy=ResetRequestState.busy, busy_text="Sending…", class_name="mt-3 w-full"),
                on_submit=ResetRequestState.submit,
                no_validate=True,
            ),
        ),
        _ways(_way("", "Back to sign in", "/login")),
    )


def reset_password() -> rx.Component:
    """Return the page behind a password reset link."""
    return narrow_page(
        "Choose a new password",
        rx.cond(
            ResetPasswordState.done,
            rx.el.div(
                rx.el.p(
                    icon("check", size=22, class_name="mt-1 text-good"),
                    rx.el.span("Your password has been changed. You've been signed out on every device."),
                    class_name="flex gap-3 text-lg",
                ),
                rx.el.a("Sign in", href="/login", class_name=f"{PRIMARY} mt-5"),
                role="status",
            ),
            rx.cond(
                ResetPasswordState.loaded,
                rx.cond(ResetPasswordState.alive, _new_password(), _dead_reset()),
                rx.el.div(class_name="skeleton h-40", role="status", aria_label="Loading"),
            ),
        ),
    )


def _new_password() -> rx.Component:
    return form(
        _password_to_choose("New password", ResetPasswordState.password_error),
        alert(ResetPasswordState.error),
        submit("Change password", busy=ResetPasswordState.busy, busy_text="Changing password…", class_name="mt-3 w-full"),
        on_submit=ResetPasswordState.submit,
        no_validate=True,
    )


def _dead_reset() -> rx.Component:
    return rx.el.div(
        alert(rx.cond(ResetPasswordState.error != "", ResetPasswordState.error, "This link has expired or was already used.")),
        rx.el.a("Get a new link", href="/reset-request", class_name=f"{PRIMARY} mt-5"),
    )
