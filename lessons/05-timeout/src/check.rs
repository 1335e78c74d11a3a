pub const LESSON: ::check::Lesson = ::check::Lesson { number: 5, port: 8080, server: "", client: "", checks: &[] };
