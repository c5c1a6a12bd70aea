"""What several tests share: cases, transcriptions of published code, miniatures."""
