"""`tonspur doctor`: one look at everything that Tonspur needs; nothing is started or changed."""
