"""How identifiers can be spelt, and which was likely meant."""
