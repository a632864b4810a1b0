-- What is in the blog when a client comes. Both databases take it, and number the rows from 1.
insert into authors (name, email, born, settings) values
  ('Ada', 'ada@example.com', '1815-12-10', '{"theme": {"name": "dark", "size": 12}, "tags": ["x", "y"]}'),
  ('Grace', 'grace@example.com', '1906-12-09', '{"theme": {"name": "light", "size": 14}}'),
  ('Anonymous', null, null, null);
insert into profiles (author_id, bio) values (1, 'Wrote the first program.'), (2, 'Wrote the first compiler.');
insert into posts (author_id, title, views, rating, published_at) values
  (1, 'Notes on the Engine', 300, 4.5, '1843-07-10 09:30:00.000000'),
  (1, 'Poetical Science', 20, null, null),
  (2, 'The Compiler', 120, 5.0, '1952-05-02 12:00:00.000000'),
  (2, 'Nanoseconds, 100% real', 80, 3.5, '1984-01-01 00:00:00.000000'),
  (3, 'On nothing', 0, null, null);
insert into tags (label) values ('science'), ('machines'), ('poetry');
insert into post_tags (post_id, tag_id) values (1, 1), (1, 2), (2, 1), (2, 3), (3, 2);
