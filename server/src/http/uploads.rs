use super::{
    extract::{Json, Path},
    incoming::{FORM_BYTES, Incoming, Stopped},
    range::{Wanted, wanted},
};
use crate::{
    error::{ApiError, ApiResult},
    limits::UploadPlace,
    media::sniff,
    services::{Caller, Client, ServiceError, uploads::Cut},
    state::AppState,
};
use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::TryStreamExt as _;
use multer::Multipart;
use natter::{
    ErrorCode, Problem, Upload, UploadId,
    media::{Kind, percent_encoded, size_text},
};
use std::{ops::Range, time::Duration};
use tokio::time::timeout;
use utoipa::ToSchema;

/// A whole upload, however slow.
const UPLOAD_WITHIN: Duration = Duration::from_mins(30);
/// What is still on its way when the answer is known is taken for so long: many clients listen only then.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);
/// Nothing in it may run, load anything, or be put into another page.
const POLICY: &str = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; \
    frame-ancestors 'none'";

#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used: the form is read as it comes")]
pub(super) struct Form {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Upload a file, for a message to carry. What it is, its content decides. Pictures are stored anew,
/// without where and with what they were taken.
#[utoipa::path(post, path = "/uploads", tag = "messages",
    request_body(content = Form, content_type = "multipart/form-data"),
    responses((status = 201, body = Upload), (status = 413, body = Problem), (status = 415, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn create(
    State(state): State<AppState>,
    caller: Caller,
    client: Client,
    request: Request,
) -> ApiResult<(StatusCode, Json<Upload>)> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = multer::parse_boundary(kind)
        .map_err(|_| ApiError::new(ErrorCode::UnsupportedMediaType, "Send the file as multipart/form-data."))?;
    let bounds = &state.uploads.bounds;
    let largest = bounds.video_max.max(bounds.file_max);
    let whole = largest + FORM_BYTES as u64;
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let too_large = declared.is_some_and(|length: u64| length > whole);
    let waits = request.headers().contains_key(header::EXPECT);
    let mut body = Incoming::new(request.into_body());
    let received = if too_large {
        Err(ApiError::new(ErrorCode::TooLarge, format!("A file has at most {}.", size_text(largest))))
    } else {
        let late = |_| Err(ApiError::field("file", "The file took longer than half an hour."));
        // Before a word is read: what is read of a form is kept until there is a file in it.
        match state.uploads.begin(&caller, &client) {
            Ok(place) => {
                let received = receive(&state, &caller, place, &mut body, boundary);
                timeout(UPLOAD_WITHIN, received).await.unwrap_or_else(late)
            }
            Err(error) => Err(error.into()),
        }
    };
    // Who asked beforehand hears it beforehand; others often listen only when they have said it all.
    if !(too_large && waits) {
        let _ = timeout(DRAIN_WITHIN, body.discard(2 * largest)).await;
    }
    Ok((StatusCode::CREATED, Json(received?)))
}

async fn receive(
    state: &AppState,
    caller: &Caller,
    place: UploadPlace,
    body: &mut Incoming,
    boundary: String,
) -> ApiResult<Upload> {
    let file = body.file();
    let mut form = Multipart::new(body, boundary);
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        if field.name() != Some("file") {
            continue;
        }
        file.say();
        let name = field.file_name().unwrap_or_default().to_owned();
        let bytes = field.map_err(|error| match stopped(&error) {
            Some(Stopped::Slow) => Cut::Slow,
            _ => Cut::Broken,
        });
        return Ok(state.uploads.receive(caller, place, &name, bytes).await?);
    }
    Err(ApiError::field("file", "Missing field `file`."))
}

/// Why there is no file in a form.
fn unreadable(error: multer::Error) -> ApiError {
    match stopped(&error) {
        Some(Stopped::Form) => ApiError::new(ErrorCode::TooLarge, "Before its file a form has at most 64 KiB."),
        Some(Stopped::Slow) => ServiceError::from(Cut::Slow).into(),
        Some(Stopped::Broken) | None => ApiError::field("file", "This form can't be read, or it didn't arrive whole."),
    }
}

fn stopped(error: &multer::Error) -> Option<Stopped> {
    match error {
        multer::Error::StreamReadFailed(error) => error.downcast_ref().copied(),
        _ => None,
    }
}

/// A file that a message carries, to those who may read it; until then to whoever uploaded it.
#[utoipa::path(get, path = "/uploads/{id}/{filename}", tag = "messages",
    params(("id" = UploadId, Path), ("filename" = String, Path), ("range" = Option<String>, Header)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>),
        (status = 206, content_type = "application/octet-stream", body = Vec<u8>, description = "The part asked for"),
        (status = 304, description = "It is known already"), (status = 404, body = Problem),
        (status = 416, body = Problem)))]
pub(super) async fn get(
    State(state): State<AppState>,
    caller: Caller,
    Path((id, _)): Path<(UploadId, String)>,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let upload = state.uploads.get(&caller, id).await?;
    let answer =
        Answer { media_type: &upload.media_type, tag: format!("\"{id}\""), size: upload.size, upload: &upload };
    let part = match answer.wanted(&method, &headers) {
        Ok(part) => part,
        Err(response) => return Ok(*response),
    };
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        Body::from_stream(state.uploads.read(&caller, &upload, answer.place(part.as_ref())).await?)
    };
    Ok(answer.with(part, body))
}

/// Take back a file of one's own that no message has, now or for later.
#[utoipa::path(delete, path = "/uploads/{id}", tag = "messages", params(("id" = UploadId, Path)),
    responses((status = 204), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "A message has it, now or for later")))]
pub(super) async fn withdraw(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<UploadId>,
) -> ApiResult<StatusCode> {
    state.uploads.withdraw(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A small picture of it, of at most 720 pixels a side.
#[utoipa::path(get, path = "/uploads/{id}/thumbnail", tag = "messages",
    params(("id" = UploadId, Path), ("range" = Option<String>, Header)),
    responses((status = 200, content_type = "image/jpeg", body = Vec<u8>),
        (status = 206, content_type = "image/jpeg", body = Vec<u8>, description = "The part asked for"),
        (status = 304, description = "It is known already"), (status = 404, body = Problem),
        (status = 416, body = Problem)))]
pub(super) async fn thumbnail(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<UploadId>,
    method: Method,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let upload = state.uploads.get(&caller, id).await?;
    let bytes = state.uploads.thumbnail(&upload).await?;
    let media_type = sniff::media_type(&bytes);
    let answer = Answer { media_type, tag: format!("\"{id}.t\""), size: bytes.len() as u64, upload: &upload };
    Ok(match answer.wanted(&method, &headers) {
        Ok(part) => {
            let Range { start, end } = answer.place(part.as_ref());
            let place = usize::try_from(start).ok().zip(usize::try_from(end).ok());
            let bytes = place.map_or_else(Bytes::new, |(start, end)| bytes.slice(start..end));
            answer.with(part, Body::from(bytes))
        }
        Err(response) => *response,
    })
}

/// Bytes that never change, to somebody who may have them.
struct Answer<'a> {
    media_type: &'a str,
    tag: String,
    size: u64,
    upload: &'a Upload,
}

impl Answer<'_> {
    /// The part that was asked for, if one was, or an answer without any bytes.
    fn wanted(&self, method: &Method, headers: &HeaderMap) -> Result<Option<Range<u64>>, Box<Response>> {
        match wanted(headers, &self.tag, self.size) {
            Wanted::Part(range) if *method == Method::GET => Ok(Some(range)),
            Wanted::All | Wanted::Part(_) => Ok(None),
            Wanted::Known => {
                let mut response = StatusCode::NOT_MODIFIED.into_response();
                self.describe(response.headers_mut());
                Err(Box::new(response))
            }
            Wanted::Nothing => {
                let mut response = ApiError::beyond_the_end().into_response();
                set(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{}", self.size));
                Err(Box::new(response))
            }
        }
    }

    fn place(&self, part: Option<&Range<u64>>) -> Range<u64> {
        part.cloned().unwrap_or(0..self.size)
    }

    /// A part is said to be one also where it is all: so a browser learns that it can jump in a film.
    fn with(&self, part: Option<Range<u64>>, body: Body) -> Response {
        let mut response = body.into_response();
        let headers = response.headers_mut();
        self.describe(headers);
        let range = self.place(part.as_ref());
        set(headers, header::CONTENT_LENGTH, &(range.end - range.start).to_string());
        if part.is_some() {
            let place = format!("bytes {}-{}/{}", range.start, range.end - 1, self.size);
            set(headers, header::CONTENT_RANGE, &place);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        response
    }

    fn describe(&self, headers: &mut HeaderMap) {
        let text = self.media_type == "text/plain";
        set(headers, header::CONTENT_TYPE, if text { "text/plain; charset=utf-8" } else { self.media_type });
        let shown = if Kind::of(self.media_type) == Kind::File { "attachment" } else { "inline" };
        let name = percent_encoded(&self.upload.filename);
        set(headers, header::CONTENT_DISPOSITION, &format!("{shown}; filename*=UTF-8''{name}"));
        set(headers, header::ETAG, &self.tag);
        set(headers, header::ACCEPT_RANGES, "bytes");
        // Asked for again each time: who may have it may change at any moment, the bytes don't.
        set(headers, header::CACHE_CONTROL, "private, no-cache");
        set(headers, header::CONTENT_SECURITY_POLICY, POLICY);
        set(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(headers, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
