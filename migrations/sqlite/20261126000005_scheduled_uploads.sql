-- Files of messages for later. One that is gone all the same makes sending fail: no foreign key.
DROP INDEX scheduled_by_upload;
CREATE UNIQUE INDEX scheduled_uploads_by_upload ON scheduled_uploads (upload_id);

-- While a message for later holds a file, it stays; then it is nobody's, unless a message carries it.
CREATE TRIGGER scheduled_uploads_keep AFTER INSERT ON scheduled_uploads BEGIN
    UPDATE uploads SET expires_at = NULL WHERE id = NEW.upload_id;
END;
CREATE TRIGGER scheduled_uploads_discard AFTER DELETE ON scheduled_uploads BEGIN
    UPDATE uploads SET expires_at = 0
    WHERE id = OLD.upload_id AND NOT EXISTS (SELECT 1 FROM attachments WHERE upload_id = OLD.upload_id);
END;
