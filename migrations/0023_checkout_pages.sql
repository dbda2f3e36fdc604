-- A purchase begun by a program: the request sent again gets the page that was opened first.

-- Where its buyer pays, as the provider told when the page was opened. NULL: not opened yet, or bought without a page.
ALTER TABLE purchases ADD COLUMN checkout_url text;
