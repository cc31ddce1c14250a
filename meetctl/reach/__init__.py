"""How people on other machines come in: one address, one TLS port, a certificate, and what passes through it.

It opens no meeting and knows no invite; `web` puts the page behind what is opened here.
"""
