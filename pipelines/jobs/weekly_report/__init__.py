"""The week on one page, for who reads it and hands it on: figures, the page in words, HTML, PDF, mail."""
