"""What a protocol holds, typed: sections, variables, filters, levels, units."""
