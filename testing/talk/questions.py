"""Twenty questions to the demo's cast, and for each the words of which a sensible answer has at least one.

A word that ends in `*` stands for all that begin so. None of the words is in its question, and they are chosen so that
answers to the other questions hardly ever have them: `sense` measures that too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    to: str
    text: str
    words: str
    before: tuple[tuple[str, str], ...] = ()
    """What was said before: who, and what."""

    def is_met_by(self, answer: str) -> bool:
        """Whether one of the words is in the answer."""
        said = re.findall(r"[\w#']+", answer.lower().replace(",", ""))
        return any(
            word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted
            for wanted in self.words.split()
            for word in said
        )


QUESTIONS = (
    Question("Ada", "what should we do before the launch?", "test* backup* check* verify* monitor* rollback stag*"),
    Question(
        "Ada",
        "the database ran out of connections. What would you do?",
        "pool* limit* increase* increasing restart* close* closing timeout* leak* idle quer* optimi*",
    ),
    Question(
        "Max",
        "should we cut the dark mode to ship on time?",
        "yes no later agree* keep* drop* postpone* without prioriti* delay* wait",
    ),
    Question("Max", "what is two hundred and forty divided by twelve?", "twenty 20"),
    Question(
        "Max",
        "please sum up what we decided.",
        "monday notes dark",
        (
            ("Sam", "So we move the launch to Monday."),
            ("Eve", "Good, and I write the release notes."),
            ("Sam", "And the dark mode is left out for now."),
        ),
    ),
    Question("Ada", "how do you store passwords safely?", "hash* encrypt* salt* bcrypt"),
    Question("Ada", "why is a cache useful?", "fast* quick* speed* memory latency repeated* load*"),
    Question(
        "Ada",
        "what happens if the server crashes at night?",
        "restart* alert* down downtime outage* failover backup* recover* replica*",
    ),
    Question(
        "Ada",
        "which language would you write an API in?",
        "python go java rust javascript node typescript kotlin ruby",
    ),
    Question(
        "Ada",
        "how do we find out why a page is slow?",
        "profil* log* measur* trac* quer* network* analyz* analys* inspect*",
    ),
    Question(
        "Max",
        "what do users hate most about a sign-up form?",
        "long complicated fields confus* steps password* difficult* tedious lengthy frustrat* unclear",
    ),
    Question(
        "Max", "how do we learn what our customers think?", "survey* feedback interview* questionnaire* call ask*"
    ),
    Question("Max", "a customer wants the money back. What do we say?", "refund* sorry apolog* return* policy"),
    Question(
        "Max",
        "what colour should the buy button be?",
        "red green blue orange yellow black white purple bright* contrast*",
    ),
    Question(
        "Max",
        "which number tells us whether people like the product?",
        "retention conversion* convert* rate rating* revenue sales downloads growth satisfaction score nps percent*",
    ),
    Question(
        "Ada",
        "how much money do we have?",
        "nine 9000 thousand euros",
        (("Sam", "The budget is nine thousand euros."), ("Eve", "That is not much.")),
    ),
    Question(
        "Max",
        "what is Eve afraid of?",
        "database fail*",
        (("Eve", "I am worried that the database fails during the launch."), ("Sam", "I see.")),
    ),
    Question("Ada", "what is a load balancer for?", "distribut* traffic requests spread* evenly servers"),
    Question("Ada", "how often should we make backups?", "daily day hour* week* night* regular* month*"),
    Question(
        "Max",
        "what should be in the email to our first users?",
        "welcome* thank* link* subject introduc* benefit* invit* feature*",
    ),
)
