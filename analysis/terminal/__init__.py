"""What a terminal shows: tables, drawings made of characters, questions to an expert."""
