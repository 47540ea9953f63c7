"""Find what a model is weak at, train on it, and find out whether that was the reason: the split is sealed before anybody is
asked, a control arm differs in its source items alone, and a decision is made on items that found nothing."""
