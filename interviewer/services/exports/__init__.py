"""The report of an interview as a file to keep: one model (`services.reports`), a writer for Markdown and one for PDF."""
