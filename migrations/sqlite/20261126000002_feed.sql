-- A channel that its member wants to stay quiet.
ALTER TABLE memberships ADD COLUMN muted INTEGER NOT NULL DEFAULT 0;
