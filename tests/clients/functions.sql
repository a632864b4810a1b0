-- What the blog's database does by itself, on PostgreSQL.
create function add(a integer, b integer) returns integer language sql immutable as 'select a + b';
create function popular(minimum integer) returns setof posts language sql stable as
  'select * from posts where views >= minimum';
create function rename_author(author integer, called text) returns void language sql as
  'update authors set name = called where id = author';
