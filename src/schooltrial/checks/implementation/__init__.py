"""Fidelity, dosage, treatment contrast and costs of the programme."""
