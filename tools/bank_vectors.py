"""Write the vectors of the bank's questions: `python -m tools.bank_vectors`. Run it when questions or weights change."""

from __future__ import annotations

from interviewer.grading.bank.vectors import write

if __name__ == "__main__":
    write()
