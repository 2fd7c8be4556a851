"""The only rooms below the actors that touch `cryptography`: secrets, API keys, sealing."""
