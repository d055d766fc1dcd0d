"""How strong the evidence is, by the standards of WWC and EEF."""
