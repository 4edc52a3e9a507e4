"""The form that every peer shows: five criteria with four levels, three texts, and a line that repeats a choice."""

LEVELS = ["Missing", "Started", "Solid", "Strong"]
CRITERIA = ["Question", "Method", "Observations", "Reasoning", "Readability"]
TEXTS = ["Strengths", "Opportunities for improvement", "Note"]
