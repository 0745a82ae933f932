-- Store format 3. How long a stream is stands in the index of its events alone: a second place for it cost a write for
-- each append, in a page of its own where the stream was an old one. The one step that takes something away, and so
-- the one that raises `min_reader`: it came before the first release.

ALTER TABLE stream DROP COLUMN version;

UPDATE meta SET value = 3 WHERE key = 'min_reader';
