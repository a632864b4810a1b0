set check_function_bodies = off;
create schema hidden;
create schema personal;
create schema shared;
create table users (id int generated always as identity primary key, name text not null, joined timestamptz);
create table posts (id int primary key, user_id int not null references users, title text);
insert into users (name, joined) values ('Ada', '2024-01-01 12:00Z'), ('Grace', null), ('Alan', null);
insert into posts values (1, 1, 'one'), (2, 1, 'two'), (3, 2, 'three');
create table personal.notes (id int primary key, text text);
insert into personal.notes values (1, 'mine');
create function shared.shout(text) returns text immutable language sql as 'select upper($1)';

create function add(a int, b int) returns int immutable language sql as 'select a + b';
create function maybe(a int, b int default 10, c int default 100) returns int immutable language sql as
  'select a + b + c';
create function same(a int) returns text immutable language sql as $$ select 'int' $$;
create function same(a text) returns text immutable language sql as $$ select 'text' $$;
create function which() returns text immutable language sql as $$ select 'none' $$;
create function which(a int) returns text immutable language sql as $$ select 'a' $$;
create function which(a int, b int) returns text immutable language sql as $$ select 'a and b' $$;
create function which(json) returns text immutable language sql as $$ select 'body' $$;
create function sum_of(variadic numbers int[]) returns bigint immutable language sql as
  'select sum(n) from unnest(numbers) n';
create function second(items text[]) returns text immutable language sql as 'select items[2]';
create function whole_json(jsonb) returns jsonb immutable language sql as 'select $1';
create function whole_text(text) returns text immutable language sql as 'select $1';
create function whole_bytes(bytea) returns int immutable language sql as 'select length($1)';
create function document(data json) returns text immutable language sql as $$ select data ->> 'a' $$;
create function greeting(of users) returns text immutable language sql as $$ select 'Hello ' || of.name $$;
create function "Odd ""Name"" %s"("a :b => %" int) returns int immutable language sql as 'select $1';

create function numbers(until int) returns setof int stable language sql as 'select generate_series(1, until)';
create function newest() returns setof users stable language sql as 'select * from users order by id desc';
create function one_user(which int) returns users stable language sql as 'select * from users where id = which';
create function pair(out first int, out second text) stable language sql as $$ select 1, 'x' $$;
create function countdown(start int default 3) returns table (n int, "as text" text) stable language sql as
  'select i, i::text from generate_series(start, 1, -1) i';
create function initial(users) returns text stable language sql as 'select left($1.name, 1)';

create function add_user(called text) returns users language sql as
  'insert into users (name) values (called) returning *';
create function add_users(variadic called text[]) returns setof users language sql as
  'insert into users (name) select unnest(called) returning *';
create function forget(called text) returns void language sql as 'delete from users where name = called';
create function dice() returns float volatile language sql as 'select random()';
create function refuse() returns void language plpgsql as
  $$ begin raise exception 'I refuse' using detail = 'Pretty simple', hint = 'There is nothing you can do'; end $$;
create function teapot() returns void language plpgsql as $$ begin raise sqlstate 'PT418' using message = 'tea'; end $$;
create function custom(message text, detail text) returns void language plpgsql as
  $$ begin raise sqlstate 'PGRST' using message = custom.message, detail = custom.detail; end $$;
create function broken() returns void language plpgsql as $$ begin raise sqlstate 'PGRST' using message = 'x'; end $$;

create function personal.notes_of() returns setof text stable language sql as 'select shout(text) from notes';
create function personal.write_note(what text) returns int language sql as
  'insert into notes select max(id) + 1, what from notes returning id';
create function hidden.secret() returns int language sql as 'select 1';
